"""An analysis for people: tables, diagrams, charts, pages."""
