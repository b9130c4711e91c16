# Runs as root in the service `setup`, before the database starts.
set -eu
umask 022

# The password: yours, or the one that is there already, or a random one
password=${POSTGRES_PASSWORD-}
for file in /project/.secrets/password /run/secrets/password /proc/sys/kernel/random/uuid; do
    if [ -z "$password" ] && [ -e "$file" ]; then
        password=$(cat "$file")
    fi
done
printf '%s\n' "$password" > /run/secrets/new
mv /run/secrets/new /run/secrets/password

# Copies that the database's user may read, whoever may read your files
install -m 444 /project/database/*.sql /docker-entrypoint-initdb.d
