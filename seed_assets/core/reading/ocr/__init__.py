"""Reads the text of pictures: pages of scans, and files that are pictures, by the OCR engine Tesseract."""
