//! An address as a QR code in half blocks, where a terminal is there and wide enough.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use std::io::{self, IsTerminal};

/// The code for standard output; none into a pipe, or where it does not fit.
pub fn for_terminal(address: &str) -> Option<String> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    drawn(address).filter(|drawn| fits(drawn, size.ws_col.into(), size.ws_row.into()))
}

/// Light squares are drawn and dark ones left out: phones read it on dark and, most of them, on light ground.
fn drawn(address: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(address, EcLevel::L).ok()?;
    Some(code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build())
}

/// The lines around it, with the address and the code, must stay in sight.
fn fits(drawn: &str, columns: usize, rows: usize) -> bool {
    let width = drawn.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    width <= columns && drawn.lines().count() + 8 <= rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_fits_a_usual_terminal() {
        let drawn = drawn("https://id.example.com/device?user_code=ABCD-1234").unwrap();
        assert!(fits(&drawn, 80, 40));
        assert!(!fits(&drawn, 20, 40));
        assert!(!fits(&drawn, 80, 10));
        assert!(drawn.starts_with('█'), "the quiet zone is light");
    }
}
