"""Trust: the certificate authority that agents must accept, and how to make each of them do so."""

from addon.authority.advice import advice
from addon.authority.bundle import write_bundle
from addon.authority.certificate import authority_certificate
from addon.authority.home import open_home

__all__ = ["advice", "authority_certificate", "open_home", "write_bundle"]
