"""Tests of pages and routes."""
