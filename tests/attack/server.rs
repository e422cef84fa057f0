//! Attacks on the edges of the api-server: connections, redirects, cookies, tables.
