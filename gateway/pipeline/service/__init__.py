"""The program that runs: put together, started, watched, loaded anew, stopped."""
