"""Reports of experiments: figures (PNG, SVG), tables (CSV), result.json and a page that needs nothing beside itself. No Qt."""

from __future__ import annotations

from app.reports.index import write_index
from app.reports.record import Entry
from app.reports.writing import write_report

__all__ = ["Entry", "write_index", "write_report"]
