"""Proves on a small corpus that nothing is paid twice and nothing is lost, whatever fails: `seedbank prove`."""
