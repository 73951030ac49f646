# Manual pages.
dist_man_MANS += doc/heaptop.1
EXTRA_DIST += doc/keys.py
