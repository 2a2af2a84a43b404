"""Pages for people: pictures, drawings, the report."""
