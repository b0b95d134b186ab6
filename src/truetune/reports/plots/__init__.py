"""Figures drawn by hand as SVG: plain functions from numbers to markup, coloured by the page's CSS."""
