"""Bad and odd inputs over all commands, made by a generator, and what is right for each."""
