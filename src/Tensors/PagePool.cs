namespace OpenEuroLLM.Tensors;

/// <summary>Which pages of the cache are free, which are held and by how many sequences, and which are kept under a name after their
/// sequence has ended. Kept pages that nobody holds count as free: they are taken when nothing else is left, the one that was held
/// longest ago first.</summary>
internal sealed class PagePool
{
    private const int None = -1;

    private readonly Lock gate = new();
    private readonly Stack<int> free;
    private readonly int[] holders;
    private readonly PrefixHash?[] names;
    private readonly Dictionary<PrefixHash, int> byName;

    // The kept pages without a holder, as a list from the oldest to the newest.
    private readonly int[] older;
    private readonly int[] newer;
    private int oldest = None;
    private int newest = None;
    private int idle;

    public PagePool(int pages)
    {
        free = new Stack<int>(pages);
        for (var page = pages - 1; page >= 0; page--) free.Push(page);
        (holders, names, older, newer) = (new int[pages], new PrefixHash?[pages], new int[pages], new int[pages]);
        byName = new Dictionary<PrefixHash, int>(pages);
    }

    /// <summary>Pages that no sequence holds.</summary>
    public int FreePages
    {
        get { lock (gate) return free.Count + idle; }
    }

    /// <summary>Pages that are kept under a name, held or not.</summary>
    public int KeptPages
    {
        get { lock (gate) return byName.Count; }
    }

    /// <summary>Takes a page to be written.</summary>
    public bool TryTake(out int page)
    {
        lock (gate)
        {
            if (!free.TryPop(out page))
            {
                page = oldest;
                if (page == None) return false;
                Unlink(page);
                Forget(page);
            }
            holders[page] = 1;
            return true;
        }
    }

    /// <summary>Holds a kept page, to be read only.</summary>
    public bool TryHold(PrefixHash name, out int page)
    {
        lock (gate)
        {
            if (!byName.TryGetValue(name, out page)) return false;
            if (holders[page]++ == 0) Unlink(page);
            return true;
        }
    }

    /// <summary>Keeps a full page under a name from now on; of two pages with one name the first is kept.</summary>
    public void Keep(int page, PrefixHash name)
    {
        lock (gate)
        {
            if (names[page] is null && byName.TryAdd(name, page)) names[page] = name;
        }
    }

    /// <summary>Lets a page go. What is in it stays there: attention reads no key or value that the next owner has not written.</summary>
    public void Return(int page)
    {
        lock (gate)
        {
            if (--holders[page] > 0) return;
            if (names[page] is null) free.Push(page);
            else Link(page);
        }
    }

    /// <summary>Says that a held page will be written again: it loses its name.</summary>
    /// <exception cref="InvalidOperationException">Other sequences read it.</exception>
    public void Reopen(int page)
    {
        lock (gate)
        {
            if (holders[page] > 1) throw new InvalidOperationException("a page that several sequences share is never written");
            Forget(page);
        }
    }

    private void Forget(int page)
    {
        if (names[page] is { } name) byName.Remove(name);
        names[page] = null;
    }

    private void Link(int page)
    {
        (older[page], newer[page]) = (newest, None);
        if (newest == None) oldest = page;
        else newer[newest] = page;
        newest = page;
        idle++;
    }

    private void Unlink(int page)
    {
        var (before, after) = (older[page], newer[page]);
        if (before == None) oldest = after;
        else newer[before] = after;
        if (after == None) newest = before;
        else older[after] = before;
        idle--;
    }
}
