//! Reads from the sources which errors the program has, with their hints: what `docs/reference/errors.md` lists.
//!
//! That no error reaches a person without a hint is held by the types (`AppError`, `Refusal`, `StoreError`, `ApiReply`
//! and `Problem` are made with one); this only finds the texts. Known gap: a text that a helper hands on is shown as a
//! `<placeholder>` where it is put together somewhere else.

use std::collections::BTreeMap;

use syn::{
    Attribute, Block, Expr, ExprCall, ExprMethodCall, ExprStruct, Item, Lit, Local, Pat, Variant,
    visit::{self, Visit},
};

/// One error as the sources make it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The texts it may have, with `<placeholders>`.
    pub texts: Vec<String>,
    /// The number it exits with.
    pub exit: u8,
    /// The hints it may have.
    pub hints: Vec<String>,
}

/// One cause: a variant of an error type, which an error names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The type.
    pub of: String,
    /// Its text, with `<placeholders>`.
    pub text: String,
    /// When it comes: its documentation.
    pub when: String,
}

/// What one file has.
#[derive(Debug, Default)]
pub struct Found {
    /// What the file is for: the first line of its documentation.
    pub about: String,
    pub entries: Vec<Entry>,
    pub causes: Vec<Cause>,
    /// Errors whose hint does not stand where they are made, by their text.
    pub apart: Vec<String>,
}

/// Reads one source.
pub fn read(source: &str) -> Found {
    let file = syn::parse_file(source).expect("a source that compiles");
    let mut reader = Reader { consts: BTreeMap::new(), lets: vec![BTreeMap::new()], found: Found::default() };
    reader.found.about = docs(&file.attrs);
    for item in &file.items {
        if let Item::Const(item) = item {
            let text = reader.texts(&item.expr);
            reader.consts.insert(item.ident.to_string(), text);
        }
    }
    reader.visit_file(&file);
    reader.found
}

/// The first paragraph of a documentation, in one line.
fn docs(attrs: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attr in attrs.iter().filter(|a| a.path().is_ident("doc")) {
        if let syn::Meta::NameValue(pair) = &attr.meta
            && let Expr::Lit(lit) = &pair.value
            && let Lit::Str(text) = &lit.lit
        {
            let line = text.value().trim().to_owned();
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
    }
    lines.join(" ")
}

fn is_test(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        attr.path().is_ident("cfg") && attr.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

struct Reader {
    consts: BTreeMap<String, Vec<String>>,
    lets: Vec<BTreeMap<String, Vec<String>>>,
    found: Found,
}

/// The last two names of a path, `Type::function`.
fn last_two(path: &syn::Path) -> (String, String) {
    let mut names = path.segments.iter().rev().map(|s| s.ident.to_string());
    let last = names.next().unwrap_or_default();
    (names.next().unwrap_or_default(), last)
}

fn call(expr: &Expr) -> Option<(&ExprCall, String, String)> {
    let Expr::Call(call) = expr else { return None };
    let Expr::Path(path) = &*call.func else { return None };
    let (of, name) = last_two(&path.path);
    Some((call, of, name))
}

/// The message of `AppError::new(…)` or `AppError::usage(…)`, and its exit code.
fn begun(expr: &Expr) -> Option<(&Expr, u8)> {
    let (call, of, name) = call(expr)?;
    let exit = match (of.as_str(), name.as_str()) {
        ("AppError", "new") => 1,
        ("AppError", "usage") => 2,
        _ => return None,
    };
    Some((call.args.first()?, exit))
}

impl Reader {
    /// The texts an expression may come to.
    fn texts(&self, expr: &Expr) -> Vec<String> {
        let placeholder = |name: &str| vec![format!("<{name}>")];
        match expr {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Str(text) => vec![text.value()],
                _ => placeholder("value"),
            },
            Expr::Macro(made) if last_two(&made.mac.path).1 == "format" => {
                let parser = syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated;
                made.mac
                    .parse_body_with(parser)
                    .map_or_else(|_| placeholder("text"), |args| vec![self.formatted(&args)])
            }
            Expr::MethodCall(call) => match call.method.to_string().as_str() {
                "to_string" | "to_owned" | "into" | "clone" | "as_str" | "display" | "join" | "as_ref" => {
                    self.texts(&call.receiver)
                }
                name => placeholder(name),
            },
            Expr::Path(path) => {
                let name = last_two(&path.path).1;
                let known =
                    self.lets.iter().rev().find_map(|scope| scope.get(&name)).or_else(|| self.consts.get(&name));
                known
                    .cloned()
                    .unwrap_or_else(|| placeholder(if matches!(&*name, "e" | "error") { "cause" } else { &name }))
            }
            Expr::Reference(inner) => self.texts(&inner.expr),
            Expr::Paren(inner) => self.texts(&inner.expr),
            Expr::Unary(inner) => self.texts(&inner.expr),
            Expr::Field(field) => match &field.member {
                syn::Member::Named(name) => placeholder(&name.to_string()),
                syn::Member::Unnamed(_) => self.texts(&field.base),
            },
            Expr::Match(all) => {
                let ends = |e: &Expr| matches!(e, Expr::Return(_));
                all.arms.iter().filter(|arm| !ends(&arm.body)).flat_map(|arm| self.texts(&arm.body)).collect()
            }
            Expr::If(either) => {
                let mut all = self.of_block(&either.then_branch);
                all.extend(either.else_branch.iter().flat_map(|(_, other)| self.texts(other)));
                all
            }
            Expr::Block(block) => self.of_block(&block.block),
            Expr::Call(call) => match &*call.func {
                Expr::Path(path) if last_two(&path.path).1 == "Some" => {
                    call.args.first().map_or_else(Vec::new, |a| self.texts(a))
                }
                Expr::Path(path) => placeholder(&last_two(&path.path).1),
                _ => placeholder("text"),
            },
            Expr::Index(index) => self.texts(&index.expr),
            _ => placeholder("text"),
        }
    }

    fn of_block(&self, block: &Block) -> Vec<String> {
        match block.stmts.last() {
            Some(syn::Stmt::Expr(expr, None)) => self.texts(expr),
            _ => vec!["<text>".to_owned()],
        }
    }

    /// The text of `format!` with its arguments as placeholders.
    fn formatted(&self, args: &syn::punctuated::Punctuated<Expr, syn::Token![,]>) -> String {
        let mut args = args.iter();
        let Some(Expr::Lit(first)) = args.next() else { return "<text>".to_owned() };
        let Lit::Str(template) = &first.lit else { return "<text>".to_owned() };
        let given: Vec<String> = args.map(|arg| self.texts(arg).remove(0)).collect();
        let named = |name: &str| match name {
            "e" | "error" => "<cause>".to_owned(),
            name => format!("<{name}>"),
        };
        fill(&template.value(), &given, named)
    }

    fn push(&mut self, message: &Expr, exit: u8, hint: &Expr) {
        let (texts, hints) = (self.texts(message), self.texts(hint));
        self.found.entries.push(Entry { texts, exit, hints });
    }
}

/// `template` with what stands in braces replaced: by position from `given`, by name from `named`.
fn fill(template: &str, given: &[String], named: impl Fn(&str) -> String) -> String {
    let mut next = given.iter();
    let mut all = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        all.push_str(&rest[..at]);
        let mark = &rest[at..=at];
        if rest[at + 1..].starts_with(mark) {
            all.push_str(mark);
            rest = &rest[at + 2..];
            continue;
        }
        let end = rest[at..].find('}').map_or(rest.len() - 1, |end| at + end);
        let name = rest[at + 1..end].split(':').next().unwrap_or_default();
        all.push_str(&match name.parse::<usize>() {
            _ if name.is_empty() => next.next().cloned().unwrap_or_else(|| "<value>".to_owned()),
            Ok(number) => given.get(number).cloned().unwrap_or_else(|| "<value>".to_owned()),
            Err(_) => named(name),
        });
        rest = &rest[end + 1..];
    }
    all + rest
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let attrs = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if is_test(attrs) {
            return;
        }
        let (name, attrs) = match item {
            Item::Struct(item) => (item.ident.to_string(), &item.attrs),
            Item::Enum(item) => {
                for variant in &item.variants {
                    self.variant(&item.ident.to_string(), variant);
                }
                return;
            }
            _ => (String::new(), attrs),
        };
        self.cause(&name, attrs, &docs(attrs));
        self.lets.push(BTreeMap::new());
        visit::visit_item(self, item);
        self.lets.pop();
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.lets.push(BTreeMap::new());
        visit::visit_block(self, block);
        self.lets.pop();
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        let texts = self.texts(&item.expr);
        // A constant inside a function stands above what uses it.
        self.consts.insert(item.ident.to_string(), texts);
    }

    fn visit_local(&mut self, local: &'ast Local) {
        visit::visit_local(self, local);
        if let (Pat::Ident(name), Some(init)) = (&local.pat, &local.init) {
            let texts = self.texts(&init.expr);
            // Only a text says more than its own name.
            if texts.iter().any(|text| !(text.starts_with('<') && text.ends_with('>'))) {
                self.lets.last_mut().unwrap().insert(name.ident.to_string(), texts);
            }
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if call.method == "hint" && call.args.len() == 1 {
            let (mut receiver, mut exit) = (&*call.receiver, None);
            while let Expr::MethodCall(inner) = receiver
                && inner.method == "exit"
            {
                let named = inner.args.first().map(|arg| match arg {
                    Expr::Path(path) => last_two(&path.path).1,
                    _ => String::new(),
                });
                exit = exit.or(named);
                receiver = &inner.receiver;
            }
            if let Some((message, plain)) = begun(receiver) {
                let code = exit.and_then(|name| code_of(&name)).unwrap_or(plain);
                self.push(message, code, &call.args[0]);
                // Not again as one without a hint.
                self.visit_expr(message);
                self.visit_expr(&call.args[0]);
                return;
            }
        }
        // The readers of tickets, lists and reviews say what is wrong by helpers: (place, message, hint).
        let is_own = |hint: &Expr| self.texts(hint) != ["<hint>"];
        if (call.method == "wrong" || call.method == "at") && call.args.len() == 3 && is_own(&call.args[2]) {
            self.push(&call.args[1], 2, &call.args[2]);
        }
        // (key, what it must be, what it is, hint).
        if call.method == "not" && call.args.len() == 4 {
            let (key, wanted) = (self.texts(&call.args[0]).remove(0), self.texts(&call.args[1]).remove(0));
            let (texts, hints) = (vec![format!("`{key}` must be {wanted}, not <kind>")], self.texts(&call.args[3]));
            self.found.entries.push(Entry { texts, exit: 2, hints });
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        if let Some((message, _)) = begun(expr) {
            self.found.apart.push(self.texts(message).join(" / "));
        }
        if let Some((made, of, name)) = call(expr) {
            let args: Vec<&Expr> = made.args.iter().collect();
            match (of.as_str(), name.as_str(), args.as_slice()) {
                ("Refusal", "new", [why, hint]) => self.push(why, 1, hint),
                ("Problem", "new", [.., message, hint]) | ("Problem", "whole_file", [.., message, hint]) => {
                    self.push(message, 2, hint);
                }
                _ => {}
            }
        }
        visit::visit_expr(self, expr);
    }

    fn visit_expr_struct(&mut self, made: &'ast ExprStruct) {
        let (of, name) = last_two(&made.path);
        let field = |wanted: &str| {
            made.fields.iter().find(|f| matches!(&f.member, syn::Member::Named(n) if n == wanted)).map(|f| &f.expr)
        };
        let exit = match (of.as_str(), name.as_str()) {
            (_, "Refusal" | "StoreError") | ("ApiReply" | "Acceptance", "Refused") | ("ApiReply", "Failed") => 1,
            _ => 0,
        };
        if let (1, Some(why), Some(hint)) = (exit, field("why"), field("hint")) {
            let own = |e: &&Expr, name: &str| matches!(e, Expr::Path(p) if p.path.is_ident(name));
            let is_handed_on = self.texts(why) == ["<why>"] && own(&hint, "hint");
            if !is_handed_on {
                self.push(why, exit, hint);
            }
        }
        visit::visit_expr_struct(self, made);
    }
}

impl Reader {
    fn variant(&mut self, of: &str, variant: &Variant) {
        self.cause(of, &variant.attrs, &docs(&variant.attrs));
    }

    /// Takes down what `#[error("…")]` says.
    fn cause(&mut self, of: &str, attrs: &[Attribute], when: &str) {
        for attr in attrs.iter().filter(|a| a.path().is_ident("error")) {
            let parser = syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated;
            // `transparent`, and what begins with a dot (`.0`), are no expressions: the first is another's text, of the
            // second the template says enough.
            let template = match attr.parse_args_with(parser) {
                Ok(args) => match args.first() {
                    Some(Expr::Lit(_)) => self.formatted(&args),
                    _ => continue,
                },
                Err(_) => match first_text(attr) {
                    Some(text) => fill(&text, &[], |name| format!("<{name}>")),
                    None => continue,
                },
            };
            if template.starts_with('<') && template.ends_with('>') && !template[1..].contains('<') {
                continue;
            }
            self.found.causes.push(Cause { of: of.to_owned(), text: template, when: when.to_owned() });
        }
    }
}

/// The literal that an attribute's argument begins with.
fn first_text(attr: &Attribute) -> Option<String> {
    let parse = |input: syn::parse::ParseStream<'_>| {
        let text: syn::LitStr = input.parse()?;
        while !input.is_empty() {
            input.step(|cursor| {
                let mut rest = *cursor;
                while let Some((_, next)) = rest.token_tree() {
                    rest = next;
                }
                Ok(((), rest))
            })?;
        }
        Ok(text.value())
    };
    attr.parse_args_with(parse).ok()
}

/// The number of an exit code by its name in the sources.
fn code_of(name: &str) -> Option<u8> {
    autodo::app::Exit::ALL.into_iter().find(|exit| format!("{exit:?}") == name).map(autodo::app::Exit::code)
}
