//! The other end of desktop notifications: takes them on the session bus and writes each as a line of JSON.
//!
//! `notification-center FILE`: says "ready" on stdout once it owns the name.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::json;
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use zbus::OwnedVariant;
use zbus::connection::Builder;

struct Center {
    file: PathBuf,
    shown: u32,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Center {
    // The specification's own list.
    #[allow(clippy::too_many_arguments)]
    fn notify(
        &mut self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: Vec<String>,
        hints: HashMap<String, OwnedVariant>,
        expire_timeout: i32,
    ) -> u32 {
        self.shown += 1;
        let hints: Vec<_> = hints.keys().collect();
        let line = json!({
            "app_name": app_name, "replaces_id": replaces_id, "app_icon": app_icon, "summary": summary,
            "body": body, "actions": actions, "hints": hints, "expire_timeout": expire_timeout,
        });
        let mut log = File::options().create(true).append(true).open(&self.file).unwrap();
        log.write_all(format!("{line}\n").as_bytes()).unwrap();
        self.shown
    }
}

fn main() {
    let file = std::env::args_os().nth(1).expect("a file to write to").into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let center = Center { file, shown: 0 };
        let path = "/org/freedesktop/Notifications";
        let bus = Builder::session().serve_at(path, center).name("org.freedesktop.Notifications");
        let _bus = bus.build().await.expect("a session bus");
        println!("ready");
        std::future::pending::<()>().await;
    });
}
