"""Figures, forecasts and impact over what is stored."""
