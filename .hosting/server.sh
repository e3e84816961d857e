#!/bin/sh
# Set up the hosted lab on a Debian 12 or newer server, as root; may be run again:
#   .hosting/server.sh HOST [PREFIX [PROCESSES]]
# HOST is the server's name, PREFIX the path below it (lab), PROCESSES how many web processes
# share the visitors: one answers with one core and takes 0.3 GB (2, or 1 on a single core).
# The certificate is expected in /etc/metascope/tls; without one a self-signed one is made,
# for a first try.
# PYTHON and TORCH_INDEX are those of install.sh.
set -eu
[ $# -ge 1 ] && [ $# -le 3 ] ||
  { echo "usage: $0 HOST [PREFIX [PROCESSES]]" >&2; exit 2; }
host=$1
prefix=${2:-lab}
processes=${3:-$([ "$(nproc)" -ge 2 ] && echo 2 || echo 1)}
here=$(cd "$(dirname "$0")" && pwd)
tree=$(dirname "$here")
home=/opt/metascope

case $host in *[!A-Za-z0-9.-]* | "") echo "server: $host is no host name" >&2; exit 2 ;; esac
case $prefix in *[!A-Za-z0-9_-]* | "")
  echo "server: the prefix must be one word of letters, digits, - and _" >&2; exit 2 ;; esac
case $processes in [1-8]) ;; *)
  echo "server: there can be 1 to 8 web processes, not $processes" >&2; exit 2 ;; esac
[ "$(id -u)" -eq 0 ] || { echo "server: this needs root" >&2; exit 1; }

say() { echo "server: $*"; }

say "packages"
export DEBIAN_FRONTEND=noninteractive
lacking=
for each in python3 python3-venv nginx openssl; do
  dpkg -s "$each" >/dev/null 2>&1 || lacking="$lacking $each"
done
# shellcheck disable=SC2086 # a list of words
[ -z "$lacking" ] || { apt-get update -qq && apt-get install -y -qq --no-install-recommends $lacking; }

say "user"
getent passwd metascope >/dev/null ||
  useradd --system --user-group --no-create-home --home-dir /nonexistent \
    --shell /usr/sbin/nologin metascope

say "code in $home/lab, read-only for the service"
install -d -m 755 "$home"
rm -rf "$home/lab.new"
install -d -m 755 "$home/lab.new"
for each in .ci .hosting .streamlit app engine pages LICENSE README.md pyproject.toml requirements.txt; do
  cp -R "$tree/$each" "$home/lab.new/"
done
chown -R root:root "$home/lab.new"
chmod -R u=rwX,go=rX "$home/lab.new"
rm -rf "$home/lab.old"
[ ! -e "$home/lab" ] || mv "$home/lab" "$home/lab.old"
mv "$home/lab.new" "$home/lab"
rm -rf "$home/lab.old"

say "its Python packages in $home/venv"
# Installed again only if the pins have changed.
pins=$(cat "$home"/lab/.ci/locks/*.lock | sha256sum)
if [ "$pins" != "$(cat "$home/venv/.pins" 2>/dev/null)" ]; then
  "$home/lab/.hosting/install.sh" "$home/venv"
  echo "$pins" >"$home/venv/.pins"
fi
"$home/venv/bin/python" -m compileall -q "$home/lab/app" "$home/lab/engine" "$home/lab/pages"

fill() { sed -e "s|@HOST@|$host|g" -e "s|@PREFIX@|$prefix|g" "$here/$1"; }

say "settings in /etc/metascope.env, the service"
# Settings that were edited stay; only the name and the prefix follow this command.
if [ -e /etc/metascope.env ]; then
  sed -i -e "s|^STREAMLIT_SERVER_BASE_URL_PATH=.*|STREAMLIT_SERVER_BASE_URL_PATH=$prefix|" \
    -e "s|^STREAMLIT_SERVER_ALLOWED_HOSTS=.*|STREAMLIT_SERVER_ALLOWED_HOSTS=\"$host\"|" \
    /etc/metascope.env
else
  fill metascope.env >/etc/metascope.env
fi
install -m 644 "$here/metascope@.service" /etc/systemd/system/metascope@.service
ports=$(seq 8501 $((8500 + processes)))

say "nginx"
tls=/etc/metascope/tls
if [ ! -e "$tls/fullchain.pem" ]; then
  say "NO CERTIFICATE in $tls: a self-signed one is made, which browsers warn of"
  install -d -m 700 "$tls"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 \
    -subj "/CN=$host" -addext "subjectAltName=DNS:$host" \
    -keyout "$tls/privkey.pem" -out "$tls/fullchain.pem" 2>/dev/null
fi
fill nginx.conf >/etc/nginx/conf.d/metascope.conf
for port in $ports; do
  [ "$port" = 8501 ] || sed -i "/server 127.0.0.1:$((port - 1));/a\\    server 127.0.0.1:$port;" \
    /etc/nginx/conf.d/metascope.conf
done
# `http2 on` is of nginx 1.25.1; Debian 12 has 1.22.
if [ "$(printf '%s\n' 1.25.1 "$(nginx -v 2>&1 | sed 's|.*/\([0-9.]*\).*|\1|')" | sort -V | head -1)" != 1.25.1 ]; then
  sed -i -e '/^    http2 on;$/d' -e 's/443 ssl;/443 ssl http2;/' /etc/nginx/conf.d/metascope.conf
fi
nginx -t -q

if [ -d /run/systemd/system ]; then
  say "start"
  systemctl daemon-reload
  for unit in $(systemctl list-units --all --plain --no-legend 'metascope@*' | cut -d' ' -f1); do
    systemctl disable --quiet --now "$unit"
  done
  systemctl enable --quiet nginx
  for port in $ports; do systemctl enable --quiet --now "metascope@$port"; done
  systemctl reload-or-restart nginx
else
  say "systemd does not run here: the services are installed and not started"
fi
say "done: https://$host/$prefix/"
