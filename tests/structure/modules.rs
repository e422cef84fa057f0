//! The modules of a crate, without what is only there for its tests.

use crate::repository::{assert_none, exists, files, read};
use syn::{Attribute, Item, Meta};

pub struct Module {
    /// From the crate's root; several programs of one crate each have a root.
    pub path: Vec<String>,
    pub file: String,
    pub items: Vec<Item>,
}

/// The modules below each root of the crate in `folder`: its library and its programs.
pub fn roots(folder: &str) -> Vec<Vec<Module>> {
    let source = format!("{folder}/src/");
    let is_root = |file: &String| match file.strip_prefix(&source) {
        Some(rest) => rest == "lib.rs" || rest == "main.rs" || is_program(rest),
        None => false,
    };
    files().into_iter().filter(is_root).map(load).collect()
}

fn is_program(file: &str) -> bool {
    let Some(rest) = file.strip_prefix("bin/") else { return false };
    rest.ends_with("/main.rs") || (rest.ends_with(".rs") && !rest.contains('/'))
}

fn load(file: String) -> Vec<Module> {
    let folder = parent(&file).to_owned();
    let mut modules = Vec::new();
    add(&mut modules, Vec::new(), file, folder);
    modules
}

/// Adds the module of `file` and those that it declares, whose files are in `folder`.
fn add(modules: &mut Vec<Module>, path: Vec<String>, file: String, folder: String) {
    let text = read(&file).unwrap();
    let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    add_items(modules, path, file, folder, parsed.items);
}

fn add_items(modules: &mut Vec<Module>, path: Vec<String>, file: String, folder: String, items: Vec<Item>) {
    let items: Vec<Item> = items.into_iter().filter(|item| !is_test_only(attributes(item))).collect();
    for item in &items {
        let Item::Mod(child) = item else { continue };
        let name = child.ident.to_string();
        let child_path = [path.as_slice(), std::slice::from_ref(&name)].concat();
        let child_folder = format!("{folder}/{name}");
        if let Some((_, items)) = &child.content {
            add_items(modules, child_path, file.clone(), child_folder, items.clone());
        } else if let Some(given) = path_attribute(&child.attrs) {
            let child_file = format!("{}/{given}", parent(&file));
            let beside = parent(&child_file).to_owned();
            add(modules, child_path, child_file, beside);
        } else {
            let flat = format!("{child_folder}.rs");
            let nested = format!("{child_folder}/mod.rs");
            add(modules, child_path, if exists(&flat) { flat } else { nested }, child_folder);
        }
    }
    modules.push(Module { path, file, items });
}

/// Whether these attributes keep code out of what is shipped.
pub fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let name = attribute.path().segments.last().map(|segment| segment.ident.to_string());
        match (name.as_deref(), &attribute.meta) {
            (Some("test"), _) => true,
            (Some("cfg"), Meta::List(list)) => {
                let condition = list.tokens.to_string().replace(' ', "");
                condition.split([',', '(', ')']).any(|word| word == "test")
                    && !condition.contains("not(test)")
            }
            _ => false,
        }
    })
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    let Meta::NameValue(pair) = &attributes.iter().find(|attribute| attribute.path().is_ident("path"))?.meta
    else {
        return None;
    };
    match &pair.value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

pub fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn parent(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[test]
fn a_module_with_a_folder_is_its_mod_rs() {
    let beside = |file: &String| {
        let folder = file.strip_suffix(".rs")?;
        let has_folder = files().iter().any(|other| other.starts_with(&format!("{folder}/")));
        has_folder.then(|| format!("{file} stands beside its folder"))
    };
    let violations: Vec<String> = files().iter().filter_map(beside).collect();
    assert_none(&violations, "modules whose file is not the folder's mod.rs");
}
