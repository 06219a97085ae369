"""The auditor: answers recomputed from the sources, files checked, cheaters scored.

It shares records and source readers with the code that makes datasets, and no geometry.

    report = audit(Path("out"))
    report.ok, report.to_text()
"""

from xvr.audit.report import AuditReport, CheaterScore, Finding
from xvr.audit.run import audit

__all__ = ["AuditReport", "CheaterScore", "Finding", "audit"]
