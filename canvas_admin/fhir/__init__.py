"""FHIR mechanics: data types, bundles, references. Knows no resource of ours."""
