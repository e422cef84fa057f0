//! Attacks on the agent over its sockets and the network.
