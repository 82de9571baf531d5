"""Scoring: from the values of a year to capaian, NSS, NKP, NPSS and budget efficiency. A pure step over facts."""
