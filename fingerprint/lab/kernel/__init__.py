"""The laboratory between network namespaces: real stacks, real servers, and a wire on which the boxes stand."""
