using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference;

/// <summary>The error for a name that no model has.</summary>
public static class UnknownModel
{
    /// <summary>The error, with the names that there are.</summary>
    /// <param name="name">The name that was asked for.</param>
    /// <param name="known">The names of the models there are.</param>
    public static RequestException Error(string name, IEnumerable<string> known) => new("model",
        $"The model '{ShownText.Of(name)}' does not exist here; this server has {string.Join(", ", known.Select(each => $"'{each}'"))}.", RequestErrorCode.ModelNotFound);
}
