//! No module imports itself in a circle: of two files that need each other, neither can be read first.

use crate::comments::string_length;
use crate::modules::{Module, attributes, is_test_only, roots};
use crate::repository::{assert_none, crates, read};
use crate::resolve::{Scopes, Target, imports};
use std::collections::{BTreeMap, BTreeSet};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, Item, ItemMod, ItemUse, Macro, Meta, Path, Visibility};

/// From which file to which, and the names that the one uses of the other.
type Edges = BTreeMap<(String, String), BTreeSet<String>>;

#[test]
fn no_file_imports_itself_in_a_circle() {
    let mut circles = Vec::new();
    for member in crates() {
        let mut edges = Edges::new();
        for modules in roots(&member.folder) {
            add_edges(&modules, &mut edges);
        }
        circles.extend(circles_of(&edges).iter().map(|circle| describe(circle, &edges)));
    }
    assert_none(&circles, "files that import each other in a circle");
}

fn add_edges(modules: &[Module], edges: &mut Edges) {
    let scopes = Scopes::new(modules);
    for place in 0..modules.len() {
        let mut reader = Reader { modules, scopes: &scopes, place, edges };
        modules[place].items.iter().for_each(|item| reader.visit_item(item));
    }
}

/// Reads the code of one module and notes the files that it needs.
struct Reader<'a> {
    modules: &'a [Module],
    scopes: &'a Scopes,
    place: usize,
    edges: &'a mut Edges,
}

impl Reader<'_> {
    fn note(&mut self, path: &[String]) {
        if let Some(Target::Item { module, name }) = self.scopes.resolve(self.place, path) {
            let (from, to) = (&self.modules[self.place].file, &self.modules[module].file);
            if from != to {
                self.edges.entry((from.clone(), to.clone())).or_default().insert(name);
            }
        }
    }

    /// Whether a path leads to this module's own children, which it may offer under its own name.
    fn is_below(&self, path: &[String]) -> bool {
        match self.scopes.resolve(self.place, path) {
            Some(Target::Item { module, .. } | Target::Module(module)) => {
                self.modules[module].path.starts_with(&self.modules[self.place].path)
            }
            None => false,
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test_only(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !is_test_only(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    // A module inside this file is a module of its own.
    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        for import in imports(item) {
            if !(import.is_public && self.is_below(&import.path)) {
                self.note(&import.path);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() {
            let segments: Vec<String> =
                path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.note(&segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        for path in paths_in(&call.tokens.to_string(), Strings::Skipped) {
            self.note(&path);
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        // serde's attributes name functions in strings; in others a string is a text.
        let strings = if attribute.path().is_ident("serde") { Strings::Read } else { Strings::Skipped };
        if let Meta::List(list) = &attribute.meta {
            for path in paths_in(&list.tokens.to_string(), strings) {
                self.note(&path);
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Strings {
    Read,
    Skipped,
}

/// The paths in a text of tokens. Names of fields and methods are none.
fn paths_in(tokens: &str, strings: Strings) -> Vec<Vec<String>> {
    let mut paths: Vec<Vec<String>> = Vec::new();
    let (mut continues, mut is_member) = (false, false);
    let mut rest = tokens;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            letter if letter.is_alphabetic() || letter == '_' => {
                let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
                let name = &rest[..end.unwrap_or(rest.len())];
                match paths.last_mut() {
                    Some(path) if continues => path.push(name.to_owned()),
                    _ if is_member => {}
                    _ => paths.push(vec![name.to_owned()]),
                }
                (continues, is_member) = (false, false);
                name.len()
            }
            '"' if strings == Strings::Skipped => string_length(rest),
            ':' if rest.starts_with("::") => {
                continues = !paths.is_empty();
                2
            }
            other => {
                if !other.is_whitespace() {
                    (continues, is_member) = (false, other == '.');
                }
                other.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    paths
}

/// The sets of files that each need all the others, directly or not.
fn circles_of(edges: &Edges) -> Vec<Vec<&String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        edges.keys().map(|(from, _)| (from, reachable(from, edges))).collect();
    let mut circles: Vec<Vec<&String>> = Vec::new();
    for (file, targets) in &reached {
        let is_known = circles.iter().any(|circle| circle.contains(file));
        if targets.contains(*file) && !is_known {
            let others =
                targets.iter().filter(|target| reached.get(*target).is_some_and(|back| back.contains(*file)));
            circles.push(others.copied().collect());
        }
    }
    circles
}

fn reachable<'a>(start: &'a String, edges: &'a Edges) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(file) = open.pop() {
        let targets = edges.keys().filter(|(from, _)| from == file).map(|(_, to)| to);
        open.extend(targets.filter(|target| reached.insert(*target)));
    }
    reached
}

fn describe(circle: &[&String], edges: &Edges) -> String {
    let mut lines = vec![format!("a circle of {} files", circle.len())];
    for ((from, to), names) in
        edges.iter().filter(|((from, to), _)| circle.contains(&from) && circle.contains(&to))
    {
        let text = read(from).unwrap();
        let places: Vec<String> =
            names.iter().map(|name| format!("{name} (line {})", first_line(&text, name))).collect();
        lines.push(format!("  {from} uses {to}: {}", places.join(", ")));
    }
    lines.join("\n")
}

/// The first line of code that has this name; 0 when it is only reached by another name.
fn first_line(text: &str, name: &str) -> usize {
    let has_name = |line: &str| {
        line.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| word == name)
    };
    let is_code = |line: &str| !line.trim_start().starts_with("//");
    text.lines().zip(1..).find(|(line, _)| is_code(line) && has_name(line)).map_or(0, |(_, number)| number)
}

#[test]
fn a_circle_is_seen_through_groups_reexports_and_macros() {
    let module = |path: &[&str], file: &str, code: &str| Module {
        path: path.iter().map(|part| (*part).to_owned()).collect(),
        file: file.to_owned(),
        items: syn::parse_file(code).unwrap().items,
    };
    let modules = [
        module(&[], "lib.rs", "mod a; mod b; mod c;"),
        module(
            &["a"],
            "a.rs",
            "use crate::{b::{self, Item}, c}; pub struct A; fn f(_: Item) { b::g(); c::h() }",
        ),
        module(&["b"], "b/mod.rs", "mod d; pub use d::Item; pub fn g() {}"),
        module(&["b", "d"], "b/d.rs", "pub enum Item {} fn f() { println!(\"crate::c::h\", crate::a::A) }"),
        module(&["c"], "c.rs", "pub fn h() {} #[cfg(test)] mod tests { use crate::a::A; }"),
    ];
    let mut edges = Edges::new();
    add_edges(&modules, &mut edges);
    let seen: Vec<String> = edges.keys().map(|(from, to)| format!("{from} {to}")).collect();
    assert_eq!(seen, ["a.rs b/d.rs", "a.rs b/mod.rs", "a.rs c.rs", "b/d.rs a.rs"]);
    assert_eq!(circles_of(&edges), [["a.rs", "b/d.rs"]]);
}
