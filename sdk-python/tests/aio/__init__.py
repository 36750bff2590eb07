"""Tests of the async client; those of the blocking one are made of them."""
