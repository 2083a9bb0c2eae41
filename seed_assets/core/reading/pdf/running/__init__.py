"""Headers, footers and page numbers that are repeated at the edges of PDF pages."""
