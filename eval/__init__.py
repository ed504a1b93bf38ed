"""The eval harness (to come); `data/` holds the questions and claims that it will ask."""
