"""Zip archives from elsewhere: what a damaged one raises."""

from __future__ import annotations

import zipfile
import zlib

#: What `zipfile` raises while it reads a damaged archive. RuntimeError: an encrypted entry; NotImplementedError: one
#: that is packed in a way that it does not know; ValueError and EOFError: sizes and places that are not there.
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError)
