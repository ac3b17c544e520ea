"""The laboratory: censors as small objects, tried on a simulated path and between network namespaces."""
