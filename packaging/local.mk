# Packages of Debian and of rpm's kin are made from the tarball, or from here.
EXTRA_DIST += packaging/heaptop.spec \
	debian/changelog debian/control debian/copyright debian/rules debian/source/format \
	debian/heaptop.docs debian/heaptop.examples debian/heaptop.install \
	debian/heaptop.lintian-overrides \
	debian/heaptop.manpages debian/heaptop-dev.docs debian/heaptop-dev.examples \
	debian/heaptop-dev.install \
	debian/tests/control debian/tests/plugin debian/tests/smoke
