# Manual pages.
dist_man_MANS += doc/heaptop.1
EXTRA_DIST += doc/keys.py

# The unit for systemd: make install SYSTEMD_UNIT_DIR=/usr/lib/systemd/system
SYSTEMD_UNIT_DIR =
EXTRA_DIST += doc/heaptop@.service.in
CLEANFILES += heaptop@.service

heaptop@.service: doc/heaptop@.service.in
	$(AM_V_GEN)sed 's|@bindir[@]|$(bindir)|' $(srcdir)/doc/heaptop@.service.in > $@

install-data-local: heaptop@.service
	@test -z "$(SYSTEMD_UNIT_DIR)" || { \
		$(MKDIR_P) "$(DESTDIR)$(SYSTEMD_UNIT_DIR)" && \
		$(INSTALL_DATA) heaptop@.service "$(DESTDIR)$(SYSTEMD_UNIT_DIR)"; }

uninstall-local:
	@test -z "$(SYSTEMD_UNIT_DIR)" || rm -f "$(DESTDIR)$(SYSTEMD_UNIT_DIR)/heaptop@.service"
EXTRA_DIST += doc/plugins.md
