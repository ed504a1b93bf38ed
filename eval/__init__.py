"""The eval harness: open `harness` first; `data/` holds the questions and claims that it asks."""
