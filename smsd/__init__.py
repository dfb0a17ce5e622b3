"""smsd: the gateway a country texts for permission."""
