"""Mails of Outlook (.msg): the mail (outlook_mail), the file that holds it (compound_file), its compressed RTF."""
