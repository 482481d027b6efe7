"""Reads the chapters of the book, executes them, and keeps and compares their outputs."""
