-- Also what you run after you have changed the password
\set password `cat /run/secrets/password`
ALTER USER guestbook PASSWORD :'password';
