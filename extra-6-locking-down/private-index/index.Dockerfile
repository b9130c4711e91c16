# A private package index that asks for a name and a password, and a proxy
FROM python:3.13-slim-trixie
RUN pip install --no-cache-dir flit_core==3.12.0 passlib==1.7.4 pypiserver==2.4.2
# A package that nobody else has, and one that the public index has, too
COPY package /package
RUN pip wheel --no-build-isolation --no-deps --wheel-dir /packages /package iniconfig==2.3.0
COPY index.py proxy.py /
CMD ["python", "/index.py"]
