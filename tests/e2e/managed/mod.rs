//! Under a real `systemd --user` manager.

mod units;
