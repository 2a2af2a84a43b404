"""The door for Python: what `import overcast` offers, as functions of values."""
