"""How transactions and canonical documents meet: the only hallway between the two, walked inward and outward."""
