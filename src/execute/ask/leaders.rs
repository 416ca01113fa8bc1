//! Predicates about leaders, terms, roles and votes.

use super::{Answer, Asking, no};
use crate::mirror::NodeMirror;
use crate::record::Role;
use crate::scenario::{Name, RoleIs, SingleLeader, Target, TermIs, TermRef, VoteIs};
use sim_core::ProcessId;

impl Asking<'_> {
    pub(super) fn no_leader(&self, among: Option<&Target>, explain: bool) -> Answer {
        match self.among(among)?.into_iter().find(|node| self.leads(*node)) {
            Some(node) => no!(explain, "{node} leads term {}", self.node(node).term),
            None => Ok(None),
        }
    }

    pub(super) fn leader_is(&self, target: &Target, explain: bool) -> Answer {
        let asked = SingleLeader { is: Some(target.clone()), ..SingleLeader::default() };
        self.single_leader(&asked, explain)
    }

    pub(super) fn terms_agree(&self, among: Option<&Target>, explain: bool) -> Answer {
        let nodes = self.somebody(among.unwrap_or(&Target::Connected))?;
        self.alike(&nodes, explain, "term", |node| self.node(node).term)
    }

    fn leads(&self, node: ProcessId) -> bool {
        self.node(node).role == Role::Leader
    }

    fn remembered_term(&self, name: &Name) -> Result<u64, String> {
        let bound = self.memory.names.get(name).map(|bound| bound.term);
        let term = bound.or_else(|| self.memory.marks.get(name).map(|mark| mark.term));
        term.ok_or_else(|| format!("nothing is called `{name}` yet"))
    }

    pub(super) fn single_leader(&self, asked: &SingleLeader, explain: bool) -> Answer {
        let among = self.among(asked.among.as_ref())?;
        let mut leader: Option<ProcessId> = None;
        for (place, node) in among.iter().copied().enumerate().filter(|(_, node)| self.leads(*node)) {
            let term = self.node(node).term;
            let same = |rival: &&ProcessId| self.leads(**rival) && self.node(**rival).term == term;
            if let Some(rival) = among[..place].iter().find(same) {
                no!(explain, "{rival} and {node} both lead term {term}");
            }
            if leader.is_none_or(|leader| self.node(leader).term < term) {
                leader = Some(node);
            }
        }
        let Some(leader) = leader else { no!(explain, "none of the nodes asked about leads") };
        let term = self.node(leader).term;
        if let Some(not) = &asked.not
            && self.resolve(not, None)?.contains(&leader)
        {
            no!(explain, "{leader} leads, which is `{not}`");
        }
        if let Some(is) = &asked.is
            && !self.resolve(is, None)?.contains(&leader)
        {
            no!(explain, "{leader} leads, not `{is}`");
        }
        if let Some(name) = &asked.term_above {
            let above = self.remembered_term(name)?;
            if term <= above {
                no!(explain, "{leader} leads term {term}, which is not above {above} (`{name}`)");
            }
        }
        if let Some(name) = &asked.same_term_as {
            let same = self.remembered_term(name)?;
            if term != same {
                no!(explain, "{leader} leads term {term}, not {same} (`{name}`)");
            }
        }
        Ok(Some(leader))
    }

    pub(super) fn term(&self, asked: &TermIs, explain: bool) -> Answer {
        let nodes = match &asked.of {
            Some(target) => self.somebody(target)?,
            None => match self.leader() {
                Some(leader) => vec![leader],
                None => no!(explain, "nobody leads"),
            },
        };
        let number = |reference: &TermRef| match reference {
            TermRef::Number(term) => Ok(*term),
            TermRef::Name(name) => self.remembered_term(name),
        };
        for node in nodes {
            let term = self.node(node).term;
            if let Some(above) = asked.above.as_ref().map(number).transpose()?
                && term <= above
            {
                no!(explain, "node {node} is in term {term}, not above {above}");
            }
            if let Some(equals) = asked.equals.as_ref().map(number).transpose()?
                && term != equals
            {
                no!(explain, "node {node} is in term {term}, not {equals}");
            }
            if let Some(least) = asked.at_least.filter(|least| term < *least) {
                no!(explain, "node {node} is in term {term}, below {least}");
            }
        }
        Ok(None)
    }

    pub(super) fn role(&self, asked: &RoleIs, explain: bool) -> Answer {
        for node in &self.somebody(&asked.of)? {
            let NodeMirror { up, role, term, .. } = self.node(*node);
            if !up {
                no!(explain, "node {node} is down");
            }
            if *role != asked.is || asked.term.is_some_and(|wanted| wanted != *term) {
                no!(explain, "node {node} is {} in term {term}", role.name());
            }
        }
        Ok(None)
    }

    pub(super) fn vote(&self, asked: &VoteIs, explain: bool) -> Answer {
        let wanted = match &asked.is {
            Some(target) => self.resolve(target, None)?,
            None => Vec::new(),
        };
        for node in self.somebody(&asked.of)? {
            let vote = self.node(node).vote;
            if vote.as_slice() != wanted {
                let has = vote.map_or_else(|| "nobody".to_string(), |vote| format!("node {vote}"));
                no!(explain, "node {node} has voted for {has}");
            }
        }
        Ok(None)
    }
}
