//! Asks the kernel for one TCP socket by both of its addresses (sock_diag(7)): reading the table of all of them takes the
//! longer the more others have opened.

use rustix::io::{self, Errno};
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};
use std::net::{IpAddr, SocketAddr};

/// The kind of the question, and of an answer; the kind of a refusal.
const BY_FAMILY: u16 = 20;
const ERROR: u16 = 2;

/// A question is a request (`NLM_F_REQUEST`) about TCP.
const REQUEST: u16 = 1;
const TCP: u8 = 6;

/// Lengths of a header, of what identifies a socket, and of a question.
const HEADER: usize = 16;
const QUESTION: usize = HEADER + 8 + 48;

/// Where in an answer the addresses, the owner and the inode are.
const NAMES: usize = HEADER + 4;
const UID: usize = NAMES + 48 + 12;
const INODE: usize = UID + 4;

/// Whose the socket at `local` is that is connected to `remote`; none if there is none, or a closed one.
pub(crate) fn owner(local: SocketAddr, remote: SocketAddr) -> io::Result<Option<u32>> {
    let socket =
        socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(SOCK_DIAG))?;
    let question = question(local, remote);
    sendto(&socket, &question, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut answer = [0; 512];
    let (length, _) = recv(&socket, &mut answer, RecvFlags::empty())?;
    match read(&answer[..length.min(answer.len())], &question) {
        Some(found) => found,
        None => Err(Errno::BADMSG),
    }
}

fn question(local: SocketAddr, remote: SocketAddr) -> Vec<u8> {
    let mut question = Vec::with_capacity(QUESTION);
    question.extend(u32::try_from(QUESTION).unwrap_or_default().to_ne_bytes());
    question.extend([BY_FAMILY, REQUEST].map(u16::to_ne_bytes).concat());
    // Neither a number nor a sender is needed: there is one answer.
    question.extend([0; 8]);
    // Whatever its family is, a socket that is connected over IPv4 is found by that.
    let family = if local.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    question.extend([u8::try_from(family.as_raw()).unwrap_or_default(), TCP, 0, 0]);
    question.extend(u32::MAX.to_ne_bytes());
    question.extend([local.port(), remote.port()].map(u16::to_be_bytes).concat());
    for address in [local, remote] {
        let mut bytes = [0; 16];
        match address.ip() {
            IpAddr::V4(ip) => bytes[..4].copy_from_slice(&ip.octets()),
            IpAddr::V6(ip) => bytes = ip.octets(),
        }
        question.extend(bytes);
    }
    // Any interface, and no cookie.
    question.extend([0; 4]);
    question.extend([0xff; 8]);
    question
}

/// None where it makes no sense.
fn read(answer: &[u8], question: &[u8]) -> Option<io::Result<Option<u32>>> {
    let number = |at: usize| Some(u32::from_ne_bytes(answer.get(at..at + 4)?.try_into().ok()?));
    match u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?) {
        ERROR => match i32::from_ne_bytes(answer.get(HEADER..HEADER + 4)?.try_into().ok()?) {
            code if Errno::from_raw_os_error(-code) == Errno::NOENT => Some(Ok(None)),
            code => Some(Err(Errno::from_raw_os_error(-code))),
        },
        BY_FAMILY => {
            // Where there is no connection, a listener at that port is the answer.
            let ports = |of: &[u8], at: usize| of.get(at..at + 4).map(<[u8]>::to_vec);
            let same = ports(answer, NAMES)? == ports(question, HEADER + 8)?;
            Some(Ok((same && number(INODE)? != 0).then_some(number(UID)?)))
        }
        _ => None,
    }
}
