# Build an image twice and compare the results: sh twice.sh [OPTIONS OF docker buildx build]
set -e

# Stands for the time of your last commit: git log -1 --format=%ct
export SOURCE_DATE_EPOCH=1767225600

# Two clones of this folder, with other file times and other permissions
rm -rf /tmp/one /tmp/two
umask 022 && cp -R . /tmp/one
umask 077 && cp -R . /tmp/two

for clone in one two; do
    docker buildx build --quiet --no-cache --provenance=false \
        --output type=oci,dest=/tmp/$clone.tar,rewrite-timestamp=true \
        "$@" /tmp/$clone > /dev/null
done
python differences.py /tmp/one.tar /tmp/two.tar
