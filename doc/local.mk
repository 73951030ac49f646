# Manual pages, completions, and what else is installed with them.
dist_man_MANS += doc/heaptop.1
EXTRA_DIST += doc/keys.py doc/completions.py

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = doc/completions/heaptop
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = doc/completions/_heaptop
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_fishcompletion_DATA = doc/completions/heaptop.fish
dist_doc_DATA = README.md NEWS SECURITY.md doc/json.md doc/metrics.md \
	doc/heaptop.schema.json doc/grafana.json doc/alerts.yml

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
