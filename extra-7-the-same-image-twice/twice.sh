# Build an image twice and compare the results: sh twice.sh [OPTIONS OF docker buildx build]
set -e

# Any time in the past will do here. A release takes the commit's: git log -1 --format=%ct
export SOURCE_DATE_EPOCH=1767225600

# Two copies of this folder with different permissions and timestamps
rm -rf /tmp/one /tmp/two
umask 022 && cp -R . /tmp/one
umask 077 && cp -R . /tmp/two
find /tmp/two -exec touch --date=yesterday {} +

for copy in one two; do
    echo Building /tmp/$copy
    docker buildx build --quiet --no-cache --provenance=false \
        --output type=oci,dest=/tmp/$copy.tar,rewrite-timestamp=true \
        "$@" /tmp/$copy > /dev/null
done
python differences.py /tmp/one.tar /tmp/two.tar
