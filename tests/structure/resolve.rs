//! Finds the module that a path in the code leads to, as the compiler would: through imports and re-exports.

use crate::modules::Module;
use std::collections::HashMap;
use syn::visit::Visit;
use syn::{Item, ItemUse, UseTree, Visibility};

/// What a path leads to. A module is named by its place in the list that the scopes were made from.
pub enum Target {
    Module(usize),
    Item { module: usize, name: String },
}

/// One name or glob of a `use`.
pub struct Import {
    pub path: Vec<String>,
    /// The name it has here; `None` for a glob.
    pub name: Option<String>,
    pub is_public: bool,
}

enum Meaning {
    Module(usize),
    Item,
    Import(Vec<String>),
}

/// The names of one module.
#[derive(Default)]
struct Scope {
    names: HashMap<String, Vec<Meaning>>,
    globs: Vec<Vec<String>>,
    parent: Option<usize>,
}

/// The names of every module below one root.
pub struct Scopes {
    scopes: Vec<Scope>,
    root: usize,
}

/// How many imports may lead to one another. Real chains are short; globs can form circles.
const DEEPEST: usize = 16;

impl Scopes {
    pub fn new(modules: &[Module]) -> Self {
        let places: HashMap<&[String], usize> =
            modules.iter().enumerate().map(|(place, module)| (module.path.as_slice(), place)).collect();
        let mut scopes: Vec<Scope> = modules.iter().map(own_scope).collect();
        for (path, place) in &places {
            let Some((name, above)) = path.split_last() else { continue };
            let parent = places[above];
            scopes[*place].parent = Some(parent);
            scopes[parent].names.entry(name.clone()).or_default().push(Meaning::Module(*place));
        }
        Self { scopes, root: places[[].as_slice()] }
    }

    /// Where `path` leads when it stands in module `from`; `None` when it leaves the crate.
    pub fn resolve(&self, from: usize, path: &[String]) -> Option<Target> {
        self.walk(from, path, DEEPEST)
    }

    fn walk(&self, from: usize, path: &[String], depth: usize) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let start = match first.as_str() {
            "crate" => self.root,
            "self" => from,
            "super" => self.scopes[from].parent?,
            _ => return self.look_up(from, path, depth),
        };
        match rest.first().map(String::as_str) {
            None => Some(Target::Module(start)),
            Some("super") => self.walk(start, rest, depth),
            Some(_) => self.look_up(start, rest, depth),
        }
    }

    fn look_up(&self, module: usize, path: &[String], depth: usize) -> Option<Target> {
        let depth = depth.checked_sub(1)?;
        let (name, rest) = path.split_first()?;
        let mut meanings: Vec<&Meaning> = self.scopes[module].names.get(name).into_iter().flatten().collect();
        // A function and a module may share a name: only the module can be followed by more.
        meanings.sort_by_key(|meaning| matches!(meaning, Meaning::Module(_)) == rest.is_empty());
        let named = meanings.into_iter().find_map(|meaning| match meaning {
            Meaning::Item => Some(Target::Item { module, name: name.clone() }),
            Meaning::Module(child) if rest.is_empty() => Some(Target::Module(*child)),
            Meaning::Module(child) => self.look_up(*child, rest, depth),
            Meaning::Import(import) => self.walk(module, &[import.as_slice(), rest].concat(), depth),
        });
        named.or_else(|| {
            self.scopes[module].globs.iter().find_map(|glob| match self.walk(module, glob, depth)? {
                Target::Module(other) => self.look_up(other, path, depth),
                Target::Item { .. } => None,
            })
        })
    }
}

fn own_scope(module: &Module) -> Scope {
    let mut scope = Scope::default();
    for item in &module.items {
        if let Some(name) = item_name(item) {
            scope.names.entry(name).or_default().push(Meaning::Item);
        }
    }
    for import in imports_of(module) {
        match import.name {
            Some(name) => scope.names.entry(name).or_default().push(Meaning::Import(import.path)),
            None => scope.globs.push(import.path),
        }
    }
    scope
}

fn item_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// Every import of a module, those inside functions too.
fn imports_of(module: &Module) -> Vec<Import> {
    struct Uses(Vec<Import>);
    impl<'ast> Visit<'ast> for Uses {
        fn visit_item_use(&mut self, item: &'ast ItemUse) {
            self.0.extend(imports(item));
        }
        // Modules inside a module have a scope of their own.
        fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {}
    }
    let mut uses = Uses(Vec::new());
    module.items.iter().for_each(|item| uses.visit_item(item));
    uses.0
}

/// The names and globs of one `use`, its groups taken apart.
pub fn imports(item: &ItemUse) -> Vec<Import> {
    let mut imports = Vec::new();
    if item.leading_colon.is_none() {
        take_apart(&item.tree, Vec::new(), !matches!(item.vis, Visibility::Inherited), &mut imports);
    }
    imports
}

fn take_apart(tree: &UseTree, mut path: Vec<String>, is_public: bool, imports: &mut Vec<Import>) {
    match tree {
        UseTree::Path(step) => {
            path.push(step.ident.to_string());
            take_apart(&step.tree, path, is_public, imports);
        }
        UseTree::Group(group) => {
            group.items.iter().for_each(|tree| take_apart(tree, path.clone(), is_public, imports));
        }
        UseTree::Glob(_) => imports.push(Import { path, name: None, is_public }),
        UseTree::Name(leaf) => imports.push(named(path, leaf.ident.to_string(), None, is_public)),
        UseTree::Rename(leaf) => {
            imports.push(named(path, leaf.ident.to_string(), Some(leaf.rename.to_string()), is_public));
        }
    }
}

fn named(mut path: Vec<String>, leaf: String, renamed: Option<String>, is_public: bool) -> Import {
    // `use a::b::{self}` imports b.
    if leaf != "self" || path.is_empty() {
        path.push(leaf);
    }
    let name = renamed.or_else(|| path.last().cloned());
    Import { path, name, is_public }
}
