"""Bundles of FHIR R4 into the clinic's records."""
