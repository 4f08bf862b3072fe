"""How staff are written in FHIR, one module per resource."""
