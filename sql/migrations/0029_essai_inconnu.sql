-- Locks nothing but the function it replaces.

/*
 * As in 0022, and a code that is nobody's costs what a wrong year does, one row written: else the time of the answer would say which codes still
 * serve. It is counted among the rates, under its own hash, and forgotten with them the next day.
 */
create or replace function ouvre_par_code(p_empreinte bytea, p_annee text, p_compte boolean) returns table (code_id uuid, usager_id uuid)
language plpgsql volatile security definer set search_path = pg_catalog, public
as $$
declare
  v_code public.code_prive;
  v_faux int;
begin
  if public.app_who() is distinct from 'portier' then
    return;
  end if;
  select * into v_code from public.code_prive c where c.empreinte = p_empreinte and c.replaced_at is null;
  if exists (select 1 from public.usager u where u.id = v_code.usager_id and left(u.birthdate, 4) = p_annee) then
    return query select c.id, c.usager_id from public.code_prive c where c.id = v_code.id and c.replaced_at is null for share of c;
  elsif v_code.id is null and p_compte then
    insert into public.limite as l (cle, debut, fin, compte)
    select sha256(convert_to('code_prive_inconnu', 'UTF8') || p_empreinte), jour, jour + interval '1 day', 1
    from date_trunc('day', public.horloge(), 'UTC') as jour
    on conflict (cle, debut) do update
    set compte = least(l.compte, 1000000) + 1;
  elsif p_compte then
    insert into public.code_prive_essai as e (code_prive_id, faux)
    values (v_code.id, 1)
    on conflict (code_prive_id) do update
    set faux = e.faux + 1, bloque_at = case when e.faux + 1 = 15 then public.horloge() end
    where e.faux < 15
    returning faux into v_faux;
    if v_faux = 15 then
      update public.code_prive c set replaced_at = greatest(c.created_at, public.horloge()) where c.id = v_code.id and c.replaced_at is null;
      insert into public.acces (genre, usager_id) values ('code_prive_bloque', v_code.usager_id);
      insert into public.papier_du (mandat_id, structure_id, usager_id, quoi)
      select v_code.mandat_id, v_code.structure_id, u.id, 'code'
      from public.usager u
      where u.id = v_code.usager_id and v_code.mandat_id is not null and (u.suivi = 'papier' or u.contact_lecteur is not null)
      on conflict (mandat_id, quoi) where remis_at is null do nothing;
    end if;
  end if;
end
$$;
