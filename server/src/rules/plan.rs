//! What a plan includes.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What it is called on the wire and on pages.
    pub name: &'static str,
    /// How many live personal access tokens a user may have at once.
    pub personal_tokens: u32,
}

/// Every plan; the first one is for users whose plan is not known.
const PLANS: [Plan; 3] = [
    Plan { name: "FREE", personal_tokens: 3 },
    Plan { name: "PRO", personal_tokens: 25 },
    Plan { name: "SCALE", personal_tokens: 100 },
];

impl Plan {
    /// The plan of this name, whatever its case. A name that is not known includes no more than the free plan.
    pub fn named(name: &str) -> Self {
        PLANS.into_iter().find(|plan| plan.name.eq_ignore_ascii_case(name)).unwrap_or(PLANS[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_plan_is_the_free_one() {
        assert_eq!(Plan::named("free").personal_tokens, 3);
        assert_eq!(Plan::named("pro").name, "PRO");
        assert_eq!(Plan::named("PLATINUM"), Plan::named("free"));
        assert_eq!(Plan::named(""), Plan::named("free"));
    }
}
