"""Files of records: tables as text (CSV), workbooks (XLSX) and JSON, each record as a text that is understood alone."""
