"""Whether a test left its board as it found it, and how to make it so again."""

from hybrid_hil.health.cleaning import clean, cleaning
from hybrid_hil.health.finding import Finding, complaints, findings, leaving, unexpected
from hybrid_hil.health.look import CLAIMS, CONTAINERS, look, ours, question, require_distinct

__all__ = [
    "CLAIMS",
    "CONTAINERS",
    "Finding",
    "clean",
    "cleaning",
    "complaints",
    "findings",
    "leaving",
    "look",
    "ours",
    "question",
    "require_distinct",
    "unexpected",
]
