"""The screens. They draw what the store holds and open neither socket nor database."""
