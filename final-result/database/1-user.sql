-- PostgreSQL runs this as its superuser, when it starts for the first time.
CREATE USER guestbook;
GRANT CREATE ON SCHEMA public TO guestbook;

-- A second database, for the project's own tests
CREATE DATABASE tests;
\connect tests
GRANT CREATE ON SCHEMA public TO guestbook;

-- Without a password, the superuser can log in from the database's own container only.
ALTER USER postgres PASSWORD NULL;
