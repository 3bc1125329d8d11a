namespace OpenEuroLLM.Privacy.Rights;

/// <summary>Addresses that are given relative to another.</summary>
internal static class AbsoluteAddress
{
    /// <summary>The absolute form; null when the two make no address of the web.</summary>
    public static string? Of(string from, string address) =>
        Uri.TryCreate(from, UriKind.Absolute, out Uri? basis) && Uri.TryCreate(basis, address, out Uri? absolute) && (absolute.Scheme is "http" or "https") ? absolute.AbsoluteUri : null;
}
