//! Access: who was handed which token when.

use super::clock::{Clock, ShownTime};
use askama::Template;
use everkey_proto::reply::Access;
use serde::Deserialize;

/// How many rows a page has.
const MOST: usize = 200;

/// Hand-outs to one program so close together, in seconds, are one row.
const TOGETHER: u64 = 60;

/// What to show, as the page's address says it.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Filter {
    /// The profile; empty for all.
    #[serde(default)]
    pub profile: String,
    /// A part of the program's path or the process' number; empty for all.
    #[serde(default)]
    pub program: String,
}

/// The page's live region.
#[derive(Debug, Template)]
#[template(path = "access.html")]
pub struct Accesses {
    filter: Filter,
    profiles: Vec<String>,
    days: Vec<Day>,
    shown: String,
    any: bool,
}

/// The hand-outs of a day.
#[derive(Debug)]
struct Day {
    name: String,
    rows: Vec<Row>,
}

/// A hand-out, or some of one program close together.
#[derive(Debug)]
struct Row {
    first: ShownTime,
    last: ShownTime,
    profile: String,
    program: Program,
    pids: String,
    /// Who started it, and what it calls itself.
    caller: String,
    count: usize,
}

/// A program as people know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its file's name.
    pub name: String,
    pub folder: String,
}

impl Program {
    /// Of a path, if the system told one.
    pub fn new(path: Option<&str>) -> Self {
        let Some(path) = path.filter(|path| !path.is_empty()) else {
            return Self {
                name: "Unknown program".to_owned(),
                folder: "It was gone before it could be looked at".to_owned(),
            };
        };
        // Linux says so of a program whose file was replaced since it started, as by an upgrade.
        let bare = path.strip_suffix(" (deleted)").unwrap_or(path);
        match bare.rsplit_once('/') {
            Some((folder, name)) if !name.is_empty() => {
                let folder = if folder.is_empty() { "/" } else { folder };
                Self { name: name.to_owned(), folder: folder.to_owned() }
            }
            _ => Self { name: bare.to_owned(), folder: String::new() },
        }
    }
}

impl Accesses {
    /// Those that the filter lets through, of `accesses`, the newest first.
    pub fn new(accesses: &[Access], filter: Filter, clock: &Clock) -> Self {
        let mut profiles: Vec<String> = accesses.iter().map(|access| access.profile.clone()).collect();
        if !filter.profile.is_empty() {
            profiles.push(filter.profile.clone());
        }
        profiles.sort();
        profiles.dedup();
        let matching: Vec<&Access> = accesses.iter().filter(|access| passes(access, &filter)).collect();
        let folded = folded(&matching);
        let shown = shown(matching.len(), folded.len() > MOST);
        let mut days: Vec<Day> = Vec::new();
        for group in folded.into_iter().take(MOST) {
            let Some(row) = Row::new(&group, clock) else { continue };
            let name = clock.day(row.last.unix);
            match days.last_mut().filter(|day| day.name == name) {
                Some(day) => day.rows.push(row),
                None => days.push(Day { name, rows: vec![row] }),
            }
        }
        Self { any: !accesses.is_empty(), filter, profiles, days, shown }
    }

    /// Says so where only the newest of all that the log holds were looked through.
    pub fn of(mut self, looked_through: usize, total: u64) -> Self {
        if total > looked_through as u64 {
            self.shown += &format!(" The newest {looked_through} of {total} in the log were looked through.");
        }
        self
    }
}

impl Row {
    fn new(group: &[&Access], clock: &Clock) -> Option<Self> {
        let (last, first) = (group.first()?, group.last()?);
        let mut pids: Vec<i32> = group.iter().map(|access| access.pid).collect();
        pids.sort_unstable();
        pids.dedup();
        let pids = match pids.as_slice() {
            [one] => format!("process {one}"),
            [first, .., last] => format!("{} processes, {first} to {last}", pids.len()),
            [] => String::new(),
        };
        Some(Self {
            first: clock.when(first.at),
            last: clock.when(last.at),
            profile: last.profile.clone(),
            program: Program::new(last.program.as_deref()),
            pids,
            caller: caller(last),
            count: group.len(),
        })
    }
}

/// Where the process comes from, by the system's word, and its own claim.
fn caller(access: &Access) -> String {
    let mut said = Vec::new();
    if let Some(from) = &access.from {
        for parent in &from.parents {
            let Program { name, .. } = Program::new(parent.program.as_deref());
            let folder = parent.folder.as_deref().map(|folder| format!(" in {folder}")).unwrap_or_default();
            said.push(format!("started by {name}{folder}"));
        }
        said.extend(from.terminal.as_ref().map(|terminal| format!("on {terminal}")));
        said.extend(from.unit.as_ref().map(|unit| format!("in the unit {unit}")));
    }
    said.extend(
        access.client.as_ref().map(|name| format!("calls itself {name:?}, which nobody has checked")),
    );
    said.join(", ")
}

/// The program that started it, which is what people ask for where everkey itself was run.
fn started_by(access: &Access) -> Option<(Option<&str>, Option<&str>)> {
    let parent = access.from.as_ref()?.parents.first()?;
    Some((parent.program.as_deref(), parent.folder.as_deref()))
}

fn passes(access: &Access, filter: &Filter) -> bool {
    let program = filter.program.trim().to_lowercase();
    let parents = access.from.iter().flat_map(|from| &from.parents).flat_map(|parent| &parent.program);
    let paths: Vec<_> = access.program.iter().chain(parents).map(|path| path.to_lowercase()).collect();
    (filter.profile.is_empty() || access.profile == filter.profile)
        && (program.is_empty()
            || paths.iter().any(|path| path.contains(&program))
            || access.pid.to_string() == program)
}

/// Neighbours of one program and profile, none more than a minute from the group's newest.
fn folded<'a>(accesses: &[&'a Access]) -> Vec<Vec<&'a Access>> {
    let mut groups: Vec<Vec<&Access>> = Vec::new();
    for access in accesses {
        let group = groups.last_mut().filter(|group| {
            group.first().is_some_and(|newest| {
                newest.program == access.program
                    && newest.profile == access.profile
                    && started_by(newest) == started_by(access)
                    && (newest.program.is_some() || newest.pid == access.pid)
                    && newest.at.saturating_sub(access.at) <= TOGETHER
            })
        });
        match group {
            Some(group) => group.push(access),
            None => groups.push(vec![access]),
        }
    }
    groups
}

fn shown(count: usize, cut: bool) -> String {
    let said = match count {
        0 => "Nothing".to_owned(),
        1 => "One token handed out".to_owned(),
        n => format!("{n} tokens handed out"),
    };
    if cut { format!("{said}; the newest {MOST} rows are shown.") } else { format!("{said}.") }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{NOON, accesses, clock};
    use super::*;

    fn filter(profile: &str, program: &str) -> Filter {
        Filter { profile: profile.to_owned(), program: program.to_owned() }
    }

    #[test]
    fn one_program_within_a_minute_is_one_row() {
        let page = Accesses::new(&accesses(), Filter::default(), &clock());
        let today = &page.days[0];
        assert_eq!(today.name, "Today");
        assert_eq!(today.rows[1].count, 3);
        assert_eq!(today.rows[1].pids, "3 processes, 9001 to 9003");
        assert_eq!(page.days[1].rows.last().unwrap().count, 14);
        let far = [61, 0].map(|ago| Access { at: NOON - ago, ..accesses()[1].clone() });
        assert_eq!(folded(&[&far[1], &far[0]]).len(), 2, "a minute and a second apart");
    }

    #[test]
    fn a_filter_lets_through_what_it_says() {
        let count = |filter| {
            let page = Accesses::new(&accesses(), filter, &clock());
            page.days.iter().flat_map(|day| &day.rows).map(|row| row.count).sum::<usize>()
        };
        assert_eq!(count(filter("binboi", "")), 1);
        assert_eq!(count(filter("", "CURL")), 3);
        assert_eq!(count(filter("work", "curl")), 0);
        assert_eq!(count(filter("", "8123")), 1);
        assert_eq!(count(filter("", "bin/bash")), 1, "by who started it, too");
        assert_eq!(count(filter("", "")), 22);
    }

    #[test]
    fn programs_are_named_by_their_files() {
        let program = |path| {
            let Program { name, folder } = Program::new(Some(path));
            (name, folder)
        };
        let of = |name: &str, folder: &str| (name.to_owned(), folder.to_owned());
        assert_eq!(program("/usr/bin/git"), of("git", "/usr/bin"));
        assert_eq!(program("/init"), of("init", "/"));
        assert_eq!(program("/usr/bin/python3 (deleted)"), of("python3", "/usr/bin"));
        assert_eq!(program("odd"), of("odd", ""));
        assert_eq!(Program::new(None).name, "Unknown program");
    }

    #[test]
    fn what_a_program_calls_itself_is_only_text() {
        let html = Accesses::new(&accesses(), filter("\"><script>", ""), &clock()).render().unwrap();
        assert!(!html.contains("<script"), "{html}");
        let html = Accesses::new(&accesses(), Filter::default(), &clock()).render().unwrap();
        assert!(html.contains("&#60;b&#62;deploy") && !html.contains("<b>deploy"), "{html}");
        let caller =
            "started by bash in /home/ada/site, started by &#60;i&#62;make, on /dev/pts/3, calls itself";
        assert!(html.contains(caller) && !html.contains("<i>make"), "{html}");
        let html = Accesses::new(&accesses(), Filter::default(), &clock()).of(22, 2300).render().unwrap();
        assert!(html.contains("The newest 22 of 2300 in the log"), "{html}");
        let html = Accesses::new(&[], Filter::default(), &clock()).render().unwrap();
        assert!(html.contains("No program has asked for a token yet"), "{html}");
    }
}
